"""The portal and the API: parse, call a use-case, show. Flask stays in here."""
