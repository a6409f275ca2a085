// Every unit test starts with an empty page and with the words loaded.
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import "../app/i18n";

// What comes is waited for, however slow the machine is.
configure({ asyncUtilTimeout: 15_000 });

afterEach(() => cleanup());
