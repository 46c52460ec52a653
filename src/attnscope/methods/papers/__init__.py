"""The papers behind methods, metrics and studies, and what to write of a result in a paper of one's own. No torch."""
