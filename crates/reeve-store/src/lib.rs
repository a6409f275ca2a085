//! SQLite behind one writer: ledger, audit log, search.
