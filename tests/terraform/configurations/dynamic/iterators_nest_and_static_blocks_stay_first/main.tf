variable "listeners" {
  default = [
    { port = 80, rules = [{ path = "/a" }, { path = "/b" }] },
    { port = 443, rules = [] },
  ]
}
resource "aws_thing" "t" {
  listener {
    port = 22
  }
  dynamic "listener" {
    for_each = var.listeners
    iterator = outer
    content {
      port = outer.value.port
      key  = outer.key
      dynamic "rule" {
        for_each = outer.value.rules
        content {
          path = "${outer.value.port}${rule.value.path}"
          at   = rule.key
        }
      }
    }
  }
  dynamic "other" {
    for_each = { b = 2, a = 1 }
    content {
      name = other.key
      size = other.value
    }
  }
  dynamic "never" {
    for_each = length(var.listeners) > 5 ? [1] : []
    content {}
  }
}
