z = "never read"
