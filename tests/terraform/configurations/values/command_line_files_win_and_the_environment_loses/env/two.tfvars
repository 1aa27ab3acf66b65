x = "two"
