y = "a.auto"
z = "a.auto"
