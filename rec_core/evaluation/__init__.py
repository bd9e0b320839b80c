"""From scores to figures: rank the catalogue, one row of metrics per user, intervals and comparisons."""
