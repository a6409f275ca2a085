-- Format 2. Whether anything but a read was admitted there; what is not known of older rows asks once more.
ALTER TABLE reached ADD COLUMN wrote INTEGER NOT NULL DEFAULT 0;
