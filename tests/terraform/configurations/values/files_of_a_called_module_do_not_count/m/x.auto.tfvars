v = "auto of the module"
