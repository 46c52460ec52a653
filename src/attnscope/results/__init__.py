"""What methods and studies return: frozen data, numpy only. A machine without torch can load and inspect it."""
