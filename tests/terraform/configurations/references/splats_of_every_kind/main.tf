resource "terraform_data" "one" {
  input = { name = "one", list = ["a", "b"] }
}
resource "terraform_data" "many" {
  count = 2
  input = { name = "n${count.index}", list = [count.index, 10] }
}
locals {
  nothing = null
  single  = { name = "s" }
  objects = [{ name = "x", tags = [{ k = 1 }] }, { name = "y", tags = [{ k = 2 }, { k = 3 }] }]
}
resource "terraform_data" "r" {
  input = {
    full    = terraform_data.many[*].input.name
    index   = terraform_data.many[*].input.list[1]
    legacy  = terraform_data.many.*.input.name
    attr    = terraform_data.many.*.input[0]
    single  = terraform_data.one[*].input.name
    null    = local.nothing[*]
    wrapped = local.single[*].name
    nested  = local.objects[*].tags[*].k
    flat    = flatten(local.objects[*].tags[*].k)
    deep    = local.objects[*].tags[0].k
    empty   = [][*].anything
  }
}
