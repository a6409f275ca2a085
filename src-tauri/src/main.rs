//! The desktop shell of Reeve: windows, tray, notifications.

fn main() {}
