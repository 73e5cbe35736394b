"""The ordered steps of a night: the one place where gate, rules, flags and mails meet."""
