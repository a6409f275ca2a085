//! `views.toml`: saved views as people read and write them. What a person wrote around them stays as it is; a file that is
//! not understood is never written over.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use reeve_engine::files::write_atomically;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::contract::views::{ViewDto, ViewsDto};
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;

const HEAD: &str = "# Saved views of the Timeline: a name and a query each.\n";
/// Most views in the file.
const MOST: usize = 200;
/// Most characters of a name and of a query.
const LONGEST_NAME: usize = 60;
const LONGEST_QUERY: usize = 4_000;

/// One change at a time: each reads the file, changes it and writes it.
#[derive(Debug, Default)]
pub struct Views(Mutex<()>);

fn file(home: &Home) -> PathBuf {
    home.config.join("views.toml")
}

/// All views.
///
/// # Errors
/// When the file cannot be read or does not hold views.
pub fn read(home: &Home) -> Result<ViewsDto, ApiError> {
    listed(home, &document(home)?)
}

impl Views {
    /// Adds a view, or gives the one of this name another query.
    ///
    /// # Errors
    /// When name or query are empty or too long, there are too many, or the file cannot be read or written.
    pub fn save(&self, home: &Home, view: &ViewDto) -> Result<ViewsDto, ApiError> {
        let (name, query) = (view.name.trim(), view.query.trim());
        let bad = |message: String| Err(ApiError::new(ApiCode::Invalid, message));
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return bad(format!("a view has a name of 1 to {LONGEST_NAME} characters on one line"));
        }
        if query.is_empty() || query.chars().count() > LONGEST_QUERY || query.chars().any(char::is_control) {
            return bad(format!("a view has a query of 1 to {LONGEST_QUERY} characters on one line"));
        }
        self.change(home, |views| {
            let same = views.iter_mut().find(|table| text(table, "name") == Some(name));
            if let Some(table) = same {
                table.insert("query", value(query));
                return Ok(());
            }
            if views.len() >= MOST {
                return Err(ApiError::new(ApiCode::Invalid, format!("there are {MOST} views already"))
                    .hint("remove one that is not used"));
            }
            let mut table = Table::new();
            table.insert("name", value(name));
            table.insert("query", value(query));
            views.push(table);
            Ok(())
        })
    }

    /// Takes a view away.
    ///
    /// # Errors
    /// When there is none of this name, or the file cannot be read or written.
    pub fn remove(&self, home: &Home, name: &str) -> Result<ViewsDto, ApiError> {
        self.change(home, |views| {
            let before = views.len();
            views.retain(|table| text(table, "name") != Some(name));
            if views.len() == before {
                return Err(ApiError::new(ApiCode::NotFound, format!("no view `{name}`")));
            }
            Ok(())
        })
    }

    fn change(
        &self,
        home: &Home,
        edit: impl FnOnce(&mut ArrayOfTables) -> Result<(), ApiError>,
    ) -> Result<ViewsDto, ApiError> {
        let _one = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut document = document(home)?;
        listed(home, &document)?;
        // Words of a file without a view yet stand at its end; above the first view they belong to it.
        let above = document.trailing().as_str().unwrap_or_default().to_owned();
        let first = !document.contains_key("view");
        let views = document.entry("view").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(views) = views.as_array_of_tables_mut() else {
            return Err(broken(home, "`view` is not a list of tables"));
        };
        edit(views)?;
        if first && let Some(table) = views.get_mut(0) {
            table.decor_mut().set_prefix(format!("{above}\n"));
            document.set_trailing("");
        }
        write_atomically(&file(home), document.to_string().as_bytes())?;
        listed(home, &document)
    }
}

fn document(home: &Home) -> Result<DocumentMut, ApiError> {
    let text = match std::fs::read_to_string(file(home)) {
        Ok(text) if text.trim().is_empty() => HEAD.to_owned(),
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => HEAD.to_owned(),
        Err(error) => return Err(broken(home, &error.to_string())),
    };
    text.parse().map_err(|error: toml_edit::TomlError| {
        let message = error.message().lines().next().unwrap_or_default();
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        broken(home, &line.map_or_else(|| message.to_owned(), |line| format!("line {line}: {message}")))
    })
}

fn listed(home: &Home, document: &DocumentMut) -> Result<ViewsDto, ApiError> {
    let mut views = Vec::new();
    if let Some(item) = document.get("view") {
        let tables = item.as_array_of_tables().ok_or_else(|| broken(home, "`view` is not a list of tables"))?;
        for table in tables {
            let (Some(name), Some(query)) = (text(table, "name"), text(table, "query")) else {
                return Err(broken(home, "a view needs `name` and `query` as text"));
            };
            views.push(ViewDto { name: name.to_owned(), query: query.to_owned() });
        }
    }
    Ok(ViewsDto { views, file: file(home).display().to_string() })
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Item::as_str)
}

fn broken(home: &Home, why: &str) -> ApiError {
    ApiError::new(ApiCode::Failed, format!("`{}` is not understood: {why}", file(home).display()))
        .hint("correct the file, or move it away")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, query: &str) -> ViewDto {
        ViewDto { name: name.to_owned(), query: query.to_owned() }
    }

    #[test]
    fn views_are_kept_in_a_file_that_a_person_may_write_too() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        assert_eq!(read(&home).unwrap().views, []);
        Views::default().save(&home, &view("Denied", "decision:denied since:7d")).unwrap();
        let path = file(&home);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{HEAD}\n[[view]]\nname = \"Denied\"\nquery = \"decision:denied since:7d\"\n"));
        std::fs::write(
            &path,
            format!("{text}\n# Ours, for Mondays.\n[[view]]\nname = \"Mine\"\nquery = \"kind:llm\"\n"),
        )
        .unwrap();
        Views::default().save(&home, &view("Denied", "decision:denied")).unwrap();
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(kept.contains("# Ours, for Mondays."), "{kept}");
        assert_eq!(read(&home).unwrap().views, [view("Denied", "decision:denied"), view("Mine", "kind:llm")]);
        assert_eq!(Views::default().remove(&home, "Denied").unwrap().views, [view("Mine", "kind:llm")]);
        assert_eq!(Views::default().remove(&home, "Denied").unwrap_err().code, ApiCode::NotFound);
    }

    #[test]
    fn a_file_that_is_not_understood_is_named_with_its_line_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        std::fs::create_dir_all(&home.config).unwrap();
        for text in ["[[view]]\nname = \n", "view = 3\n", "[[view]]\nname = \"a\"\n"] {
            std::fs::write(file(&home), text).unwrap();
            let error = Views::default().save(&home, &view("x", "y")).unwrap_err();
            assert!(error.message.contains("views.toml"), "{error}");
            assert_eq!(std::fs::read_to_string(file(&home)).unwrap(), text);
        }
        std::fs::write(file(&home), "[[view]]\nname = \n").unwrap();
        assert!(read(&home).unwrap_err().message.contains("line 2"));
    }

    #[test]
    fn names_and_queries_have_a_length() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        for bad in [view("", "x"), view("x", " "), view(&"x".repeat(61), "x"), view("two\nlines", "x")] {
            assert_eq!(Views::default().save(&home, &bad).unwrap_err().code, ApiCode::Invalid);
        }
        assert!(!file(&home).exists());
    }
}
