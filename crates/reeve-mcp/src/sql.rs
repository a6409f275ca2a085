//! A statement that changes rows of one table, turned into one that counts them and changes nothing. Whatever is not plainly
//! understood is not counted: another server may read it otherwise.

use reeve_domain::obligation::SqlDialect;
use sqlparser::ast::{
    AssignmentTarget, BinaryOperator, Delete, Expr, FromTable, FunctionArg, FunctionArgExpr, FunctionArguments,
    ObjectName, ObjectNamePart, Statement, TableFactor, TableWithJoins, UnaryOperator, Update, Value,
};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// Longest statement that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// Deepest nest of brackets and operators that is read.
const DEEPEST: usize = 50;
/// The column that the count stands in.
pub const COLUMN: &str = "reeve_rows";
/// Functions without side effects, which give the same for the same row at any time.
const PURE: [&str; 10] = ["abs", "coalesce", "length", "lower", "ltrim", "nullif", "round", "rtrim", "trim", "upper"];

/// The statement that counts the rows which `sql` would change.
///
/// # Errors
/// Why that cannot be told: a clause for the sentence "the rows could not be counted: …".
pub fn count(sql: &str, dialect: SqlDialect) -> Result<String, String> {
    let parser: &dyn Dialect = match dialect {
        SqlDialect::Sqlite => &SQLiteDialect {},
        SqlDialect::Postgres => &PostgreSqlDialect {},
        SqlDialect::Mysql => &MySqlDialect {},
    };
    plain(sql, parser)?;
    let (table, selection) = changed(read(sql, parser)?)?;
    let number = match dialect {
        // What a program of JavaScript reads from PostgreSQL is a text where a number has eight bytes.
        SqlDialect::Postgres => "CAST(count(*) AS integer)",
        SqlDialect::Sqlite | SqlDialect::Mysql => "count(*)",
    };
    let condition = selection.as_ref().map(|expr| format!(" WHERE {expr}")).unwrap_or_default();
    let counting = format!("SELECT {number} AS {COLUMN} FROM {table}{condition}");
    // What was written out must read as what was read.
    let again = read(&format!("DELETE FROM {table}{condition}"), parser).and_then(changed);
    match again {
        Ok(same) if same == (table, selection) => Ok(counting),
        _ => Err("it cannot be written out as it was read".to_owned()),
    }
}

/// No comments, which some servers execute, and no escapes, which some do not know.
fn plain(sql: &str, dialect: &dyn Dialect) -> Result<(), String> {
    if sql.len() > LONGEST {
        return Err(format!("the statement is longer than {} KiB", LONGEST / 1024));
    }
    if sql.contains('\\') || sql.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("it holds a backslash or control characters".to_owned());
    }
    let tokens = Tokenizer::new(dialect, sql).tokenize().map_err(|_| unread())?;
    let comment = |token: &Token| {
        matches!(token, Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)))
    };
    let marks = ["--", "/*", "#", "$", "?", "@"];
    if tokens.iter().any(comment) || marks.iter().any(|mark| outside_of_text(sql, &tokens, mark)) {
        return Err("it holds a comment or a mark, which servers read in different ways".to_owned());
    }
    Ok(())
}

/// Whether a mark stands anywhere but in a quoted text.
fn outside_of_text(sql: &str, tokens: &[Token], mark: &str) -> bool {
    let quoted = tokens.iter().map(|token| match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text.matches(mark).count(),
        _ => 0,
    });
    sql.matches(mark).count() > quoted.sum::<usize>()
}

fn unread() -> String {
    "the statement cannot be read".to_owned()
}

fn read(sql: &str, dialect: &dyn Dialect) -> Result<Statement, String> {
    let parser = Parser::new(dialect).with_recursion_limit(DEEPEST).try_with_sql(sql);
    let mut statements = parser.and_then(|mut parser| parser.parse_statements()).map_err(|_| unread())?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (None, _) => Err("there is no statement".to_owned()),
        (Some(_), false) => Err("it is more than one statement".to_owned()),
    }
}

/// The one table that it changes, and which rows of it.
fn changed(statement: Statement) -> Result<(String, Option<Expr>), String> {
    let (table, selection) = match statement {
        Statement::Update(update) => updated(update)?,
        Statement::Delete(delete) => deleted(delete)?,
        _ => return Err("it is neither an UPDATE nor a DELETE".to_owned()),
    };
    if let Some(expr) = &selection {
        understood(expr)?;
    }
    Ok((one_table(&table)?, selection))
}

fn updated(update: Update) -> Result<(TableWithJoins, Option<Expr>), String> {
    let more = update.from.is_some()
        || update.returning.is_some()
        || update.output.is_some()
        || update.or.is_some()
        || update.limit.is_some()
        || !update.order_by.is_empty()
        || !update.optimizer_hints.is_empty();
    if more {
        return Err(other_clauses());
    }
    for assignment in &update.assignments {
        match &assignment.target {
            AssignmentTarget::ColumnName(_) => understood(&assignment.value)?,
            AssignmentTarget::Tuple(_) => return Err(other_clauses()),
        }
    }
    Ok((update.table, update.selection))
}

fn deleted(delete: Delete) -> Result<(TableWithJoins, Option<Expr>), String> {
    let more = !delete.tables.is_empty()
        || delete.using.is_some()
        || delete.returning.is_some()
        || delete.output.is_some()
        || delete.limit.is_some()
        || !delete.order_by.is_empty()
        || !delete.optimizer_hints.is_empty();
    let (FromTable::WithFromKeyword(mut from) | FromTable::WithoutKeyword(mut from)) = delete.from;
    match (from.pop(), from.is_empty()) {
        (Some(table), true) if !more => Ok((table, delete.selection)),
        _ => Err(other_clauses()),
    }
}

fn other_clauses() -> String {
    "it does more than change the rows of one table that a WHERE picks".to_owned()
}

fn one_table(table: &TableWithJoins) -> Result<String, String> {
    let TableFactor::Table {
        name,
        alias,
        args: None,
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_hints,
    } = &table.relation
    else {
        return Err(other_clauses());
    };
    let bare = with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() && table.joins.is_empty();
    let columns = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
    if !bare || columns || !is_plain(name) {
        return Err(other_clauses());
    }
    Ok(table.to_string())
}

fn is_plain(name: &ObjectName) -> bool {
    name.0.iter().all(|part| matches!(part, ObjectNamePart::Identifier(_)))
}

/// Columns, plain values and what compares them: nothing that could do anything, or read another table.
fn understood(expr: &Expr) -> Result<(), String> {
    let all = |parts: &[&Expr]| parts.iter().try_for_each(|part| understood(part));
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Ok(()),
        Expr::Value(value) => match &value.value {
            Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::DoubleQuotedString(_)
            | Value::Boolean(_)
            | Value::Null => Ok(()),
            _ => Err("it holds a value of a kind that is not plain".to_owned()),
        },
        Expr::Nested(inner)
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => {
            understood(inner)
        }
        Expr::IsDistinctFrom(one, other) | Expr::IsNotDistinctFrom(one, other) => all(&[one, other]),
        Expr::BinaryOp { left, op, right } if compares(op) => all(&[left, right]),
        Expr::Between { expr, low, high, .. } => all(&[expr, low, high]),
        Expr::InList { expr, list, .. } => {
            understood(expr)?;
            list.iter().try_for_each(understood)
        }
        Expr::Like { expr, pattern, any: false, escape_char: None, .. }
        | Expr::ILike { expr, pattern, any: false, escape_char: None, .. } => all(&[expr, pattern]),
        Expr::Function(function) => pure(function),
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
            Err("it holds a statement inside".to_owned())
        }
        _ => Err("it holds an expression that is not plain".to_owned()),
    }
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::And
            | Op::Or
    )
}

fn pure(function: &sqlparser::ast::Function) -> Result<(), String> {
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return Err(format!("it calls `{name}`, whose effects are not known"));
    };
    let plain = PURE.contains(&name.as_str())
        && list.clauses.is_empty()
        && list.duplicate_treatment.is_none()
        && function.filter.is_none()
        && function.over.is_none()
        && function.within_group.is_empty()
        && matches!(function.parameters, FunctionArguments::None);
    if !plain {
        return Err(format!("it calls `{name}`, whose effects are not known"));
    }
    list.args.iter().try_for_each(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => understood(expr),
        _ => Err(format!("it calls `{name}` in a way that is not plain")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_rows_of_one_table_becomes_what_counts_them() {
        use SqlDialect::{Mysql, Postgres, Sqlite};
        for (dialect, sql, want) in [
            (Sqlite, "UPDATE customers SET tier = 'gold'", "SELECT count(*) AS reeve_rows FROM customers"),
            (
                Sqlite,
                "update customers as c set tier='it''s' where c.id in (1,2) and not (age > 3 or name like 'a%');",
                "SELECT count(*) AS reeve_rows FROM customers AS c WHERE c.id IN (1, 2) AND NOT (age > 3 OR name LIKE 'a%')",
            ),
            (
                Postgres,
                "DELETE FROM public.\"Orders\" WHERE lower(state) = 'void' AND total BETWEEN 1 AND 2",
                "SELECT CAST(count(*) AS integer) AS reeve_rows FROM public.\"Orders\" WHERE lower(state) = 'void' AND total BETWEEN 1 AND 2",
            ),
            (Mysql, "DELETE FROM `t` WHERE a IS NULL", "SELECT count(*) AS reeve_rows FROM `t` WHERE a IS NULL"),
            (
                Mysql,
                "DELETE FROM t WHERE mail = 'a@example.com'",
                "SELECT count(*) AS reeve_rows FROM t WHERE mail = 'a@example.com'",
            ),
            (
                Sqlite,
                "DELETE FROM t WHERE note = '-- /* # no comment'",
                "SELECT count(*) AS reeve_rows FROM t WHERE note = '-- /* # no comment'",
            ),
        ] {
            assert_eq!(count(sql, dialect).as_deref(), Ok(want), "{sql}");
        }
    }

    #[test]
    fn what_is_not_plainly_understood_is_not_counted() {
        for sql in [
            "UPDATE t SET a = 1; DROP TABLE t",
            "SELECT * FROM t",
            "DROP TABLE t",
            "TRUNCATE t",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1 FROM u WHERE t.id = u.id",
            "UPDATE t, u SET t.a = 1",
            "UPDATE t JOIN u ON t.id = u.id SET t.a = 1",
            "DELETE FROM t USING u WHERE t.id = u.id",
            "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
            "WITH x AS (SELECT 1) UPDATE t SET a = 1",
            "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM u)",
            "UPDATE t SET a = (SELECT 1)",
            "UPDATE t SET a = 1 WHERE pg_terminate_backend(1)",
            "UPDATE t SET a = nextval('s')",
            "DELETE FROM t WHERE random() < 1",
            "UPDATE t SET a = 1 -- WHERE id = 1",
            "UPDATE t SET a = 1 /* WHERE */ ",
            "UPDATE t SET a = 1 /*!50000 WHERE id = 1 */",
            "UPDATE t SET a = 1 WHERE b = 'x\\' OR 1=1 --'",
            "UPDATE t SET a = 1 WHERE b = $$x$$",
            "UPDATE t SET a = 1 WHERE b = E'x'",
            "UPDATE t SET a = 1 WHERE b = ?",
            "UPDATE t SET a = 1 WHERE b = $1",
            "UPDATE t SET a = 1 WHERE id = @n",
            "UPDATE t SET a = @@global.x WHERE id = 1",
            "UPDATE OR REPLACE t SET a = 1",
            "UPDATE t SET a = 1 RETURNING *",
            "UPDATE t SET a = 1 LIMIT 5",
            "DELETE FROM t ORDER BY id LIMIT 5",
            "UPDATE t SET (a, b) = (1, 2)",
            "UPDATE generate_series(1, 2) SET a = 1",
            "UPDATE t SET a = 1 WHERE CURRENT OF c",
            "UPDATE t SET a = 1 WHERE b = 1\0",
            "",
            ";",
            "UPDATE",
        ] {
            for dialect in [SqlDialect::Sqlite, SqlDialect::Postgres, SqlDialect::Mysql] {
                let counted = count(sql, dialect);
                assert!(counted.is_err(), "{sql}: {counted:?}");
            }
        }
        let deep = format!("DELETE FROM t WHERE {}1{}", "(".repeat(5000), ")".repeat(5000));
        assert!(count(&deep, SqlDialect::Sqlite).is_err());
        assert!(count(&format!("DELETE FROM t WHERE a = '{}'", "x".repeat(LONGEST)), SqlDialect::Sqlite).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_counts_never_changes_anything(sql in "(UPDATE|DELETE FROM) [a-z;'\"() ,=*/-]{0,60}") {
            if let Ok(counting) = count(&sql, SqlDialect::Sqlite) {
                let read = read(&counting, &SQLiteDialect {});
                proptest::prop_assert!(matches!(read, Ok(Statement::Query(_))), "{}", counting);
            }
        }
    }
}
