variable "mixed" {
  type    = list(any)
  default = ["a", 1, true]
}
variable "tags" {
  type    = map(any)
  default = { count = 2, name = "x" }
}
variable "free" {
  type    = any
  default = ["a", 1, { deep = [null] }]
}
variable "typeless" {
  default = { n = 1, s = "1" }
}
resource "terraform_data" "r" {
  input = {
    mixed    = var.mixed
    tags     = var.tags
    free     = var.free
    typeless = var.typeless
  }
}
