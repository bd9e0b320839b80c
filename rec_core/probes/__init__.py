"""Audits of a system seen only through its Protocols: tidy rows with intervals, p values and verdicts."""
