locals { third = "x" }
