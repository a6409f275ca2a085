//! The gate and everything stateful that it orders.
