"""The verbs: what pages, command line and notebooks call. Nothing else of the engine is public but `types`."""
