"""Between bytes and values: Envoy's messages, HTTP answers and audit events; total functions, no I/O."""
