variable "service" {
  type = object({
    name = string
    port = optional(number, 443)
    health = optional(object({
      path     = optional(string, "/health")
      interval = optional(number, 30)
      codes    = optional(list(number), [200])
    }), {})
    log = optional(object({ level = string }))
    tags = optional(map(string), { owner = "nobody" })
  })
}
resource "terraform_data" "r" {
  input = var.service
}
