//! Policy text laid out the one way Reeve lays it out; comments survive.

use cedar_policy_formatter::{Config, policies_str_to_pretty};

use crate::error::{PolicyError, Problem};

/// Formats the text of a policy file: lines of at most 120 characters, two spaces to indent.
///
/// # Errors
/// When the text does not parse.
pub fn format(file: &str, text: &str) -> Result<String, PolicyError> {
    let config = Config { line_width: 120, indent_width: 2 };
    policies_str_to_pretty(text, &config).map_err(|error| {
        let message = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        PolicyError::Policy(vec![Problem { file: file.to_owned(), line: 0, column: 0, length: 0, message }])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_keeps_comments_and_annotations_and_is_stable() {
        let text = "// why\n@id(\"a\") @reason(\"b\") permit(principal,action,resource) when{context.port==1};";
        let once = format("a.cedar", text).unwrap();
        assert!(once.contains("// why") && once.contains("@id(\"a\")"), "{once}");
        assert_eq!(format("a.cedar", &once).unwrap(), once);
        assert!(format("a.cedar", "permit(").is_err());
    }
}
