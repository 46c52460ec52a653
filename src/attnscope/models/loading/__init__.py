"""From a name, a folder or a file to a model that is ready to run, and what this machine offers it."""
