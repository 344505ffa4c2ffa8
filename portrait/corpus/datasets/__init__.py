"""The ``datasets`` library and datasets on a hub."""
