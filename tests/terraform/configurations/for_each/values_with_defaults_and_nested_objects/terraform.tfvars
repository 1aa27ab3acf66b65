buckets = {
  logs = {}
  site = {
    acl        = "public-read"
    versioning = { on = false }
  }
}
