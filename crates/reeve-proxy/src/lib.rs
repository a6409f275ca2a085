//! The HTTP and LLM mouth: sockets, TLS, framing, masking, metering.
