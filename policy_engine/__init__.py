"""Policy as code for an information security management system: checks that map to the controls of ISO/IEC 27001."""

__version__ = "0.1.0"
