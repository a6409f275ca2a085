//! Operation in, verdict out: Cedar says whether, YAML says how much.
