// The parts of the settings, each with an address of its own.
export const SETTINGS_TABS = ["general", "protection", "notifications", "data", "shortcuts", "doctor", "about"] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];
