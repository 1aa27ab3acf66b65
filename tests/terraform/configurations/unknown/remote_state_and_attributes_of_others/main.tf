data "terraform_remote_state" "net" {
  backend = "s3"
}
resource "aws_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "s" {
  vpc_id = aws_vpc.v.id
  cidr   = cidrsubnet(aws_vpc.v.cidr_block, 8, 1)
  arn    = aws_vpc.v.arn
  other  = data.terraform_remote_state.net.outputs.vpc_id
  gone   = aws_vpc.nowhere.id
}
