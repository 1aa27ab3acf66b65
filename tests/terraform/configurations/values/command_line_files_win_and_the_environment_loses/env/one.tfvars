x = "one"
v = "one"
