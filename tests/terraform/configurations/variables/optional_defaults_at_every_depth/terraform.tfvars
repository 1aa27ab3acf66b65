service = {
  name   = "web"
  health = { path = "/live", codes = ["201"] }
  more   = "is dropped"
}
