//! Prices of models as exact decimals, and what a usage costs.
