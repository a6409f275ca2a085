// The words of the console: the message files of a language, English being the source.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./words/en";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
    returnNull: false;
  }
}

void i18next.use(initReactI18next).init({
  lng: "en",
  fallbackLng: "en",
  resources: { en: { translation: en } },
  // React escapes; foreign text never comes here unescaped by `plain`.
  interpolation: { escapeValue: false },
  initAsync: false,
});
