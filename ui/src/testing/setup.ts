// Every unit test starts with an empty page and with the words loaded.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import "../app/i18n";

afterEach(() => cleanup());
