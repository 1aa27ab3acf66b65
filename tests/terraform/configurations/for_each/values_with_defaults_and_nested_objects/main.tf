variable "buckets" {
  type = map(object({
    acl        = optional(string, "private")
    versioning = optional(object({ on = optional(bool, true) }), {})
  }))
}
resource "aws_s3_bucket" "b" {
  for_each = var.buckets
  bucket   = each.key
  acl      = each.value.acl
  versioning {
    enabled = each.value.versioning.on
  }
}
