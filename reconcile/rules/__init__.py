"""The rules of DOMAIN §4 as Ibis expressions on unbound tables. Pure: no engine, no clock, no session."""
