"""The gate: plans, consultations, permits, entries, exits, certificates (DOMAIN §6); posts to the pool's ledger."""
