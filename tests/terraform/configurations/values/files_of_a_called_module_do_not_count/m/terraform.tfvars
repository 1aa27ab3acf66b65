v = "of the module"
