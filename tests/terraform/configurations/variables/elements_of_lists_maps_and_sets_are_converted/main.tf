variable "ports" {
  type    = set(number)
  default = ["443", 80, "80", 443]
}
variable "flags" {
  type    = map(bool)
  default = { a = "true", b = false }
}
variable "words" {
  type    = list(string)
  default = [1, true, 1.50, "x"]
}
variable "pair" {
  type    = tuple([string, number, bool])
  default = [1, "2", "false"]
}
variable "rows" {
  type    = map(list(number))
  default = { x = ["1"], y = [] }
}
resource "terraform_data" "r" {
  input = {
    ports = var.ports
    flags = var.flags
    words = var.words
    pair  = var.pair
    rows  = var.rows
  }
}
