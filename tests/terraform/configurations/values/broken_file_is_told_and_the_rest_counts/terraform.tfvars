v = "given"
w = [1,
