"""From a source's own files to numbered interactions, items, users, splits and questions."""
