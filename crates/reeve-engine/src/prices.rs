//! The price table in force: the user's file where there is one, else the shipped one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use reeve_domain::price::PriceTable;

use crate::error::EngineError;

/// The table shipped with this build, dated inside.
const SHIPPED: &str = include_str!("../../../data/model_prices.json");

/// Shared, replaceable without a restart.
#[derive(Debug)]
pub struct Prices {
    table: ArcSwap<PriceTable>,
}

impl Prices {
    /// # Errors
    /// When the user's file (or, after a bad build, the shipped one) does not parse; the message names the place.
    pub fn load(user_file: Option<&std::path::Path>) -> Result<Self, EngineError> {
        Ok(Self { table: ArcSwap::from_pointee(read(user_file)?) })
    }

    /// Reads again; on error the table in force stays.
    ///
    /// # Errors
    /// As [`Prices::load`].
    pub fn reload(&self, user_file: Option<&std::path::Path>) -> Result<(), EngineError> {
        self.table.store(Arc::new(read(user_file)?));
        Ok(())
    }

    #[must_use]
    pub fn table(&self) -> Arc<PriceTable> {
        self.table.load_full()
    }
}

fn read(user_file: Option<&std::path::Path>) -> Result<PriceTable, EngineError> {
    let text = match user_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|source| EngineError::Read { path: path.to_path_buf(), source })?
            .into(),
        None => std::borrow::Cow::Borrowed(SHIPPED),
    };
    let name = user_file.map_or_else(|| "the shipped price table".to_owned(), |path| path.display().to_string());
    PriceTable::parse(&name, &text).map_err(|error| EngineError::Prices(error.to_string()))
}
