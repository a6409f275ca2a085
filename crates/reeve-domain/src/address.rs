//! Which IP addresses are special-purpose and therefore refused unless a rule names them.
