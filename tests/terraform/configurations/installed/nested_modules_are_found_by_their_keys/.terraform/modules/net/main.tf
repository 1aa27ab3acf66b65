module "parts" {
  source = "./modules/parts"
}
module "labels" {
  source = "git::https://example.org/labels.git?ref=v1"
}
output "made" { value = module.parts.made }
output "label" { value = module.labels.label }
