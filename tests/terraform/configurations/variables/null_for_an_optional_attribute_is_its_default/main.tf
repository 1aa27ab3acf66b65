variable "rules" {
  type = list(object({
    port     = optional(number, 22)
    cidrs    = optional(list(string), ["10.0.0.0/8"])
    nothing  = optional(string)
    required = string
  }))
  default = [
    { port = null, required = null },
    { cidrs = null, nothing = "x", required = 1 },
  ]
}
resource "terraform_data" "r" {
  input = var.rules
}
