variable "u" {}
variable "list" { type = list(string) }
variable "map" { type = map(string) }
resource "aws_thing" "t" {
  same       = var.u ? "x" : "x"
  or         = var.u == "a" || true
  and        = var.u == "a" && false
  contains   = contains(["a", var.u], "a")
  not_sure   = contains(["a", var.u], "b")
  first      = coalesce("x", var.u)
  skipped    = coalesce(null, "x", var.u)
  tried      = try({ a = 1 }.b, "fallback")
  length     = length([var.u, var.u])
  lookup     = lookup({ a = var.u, b = "known" }, "b", "")
  keys       = keys({ a = var.u, b = 1 })
  index      = [var.u, "known"][1]
  later      = merge(var.map, { Name = "x" })["Name"]
  earlier    = merge({ Name = "x" }, var.map)["Name"]
  split      = split(",", "a,b")[0]
  starts     = startswith("arn:aws:${var.u}", "arn:")
  alltrue    = alltrue([false, var.u])
  anytrue    = anytrue([true, var.u])
  element    = concat(["a"], var.list)[0]
}
