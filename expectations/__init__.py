"""From any delivered file to accepted rows: what every book looks like, how it is read, and what the gate lets in."""
