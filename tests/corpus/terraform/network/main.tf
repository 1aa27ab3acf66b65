locals {
  zones_count   = length(var.zones)
  nat_count     = var.single_nat_gateway ? 1 : local.zones_count
  public_cidrs  = [for i in range(local.zones_count) : cidrsubnet(var.cidr, 4, i)]
  private_cidrs = [for i in range(local.zones_count) : cidrsubnet(var.cidr, 4, i + 8)]

  tags = {
    Name       = var.name
    managed-by = "terraform"
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = local.tags
}

resource "aws_subnet" "public" {
  count = local.zones_count

  vpc_id                  = aws_vpc.this.id
  availability_zone       = var.zones[count.index]
  cidr_block              = local.public_cidrs[count.index]
  map_public_ip_on_launch = false

  tags = merge(local.tags, { Name = "${var.name}-public-${count.index}" })
}

resource "aws_subnet" "private" {
  for_each = { for i, zone in var.zones : zone => local.private_cidrs[i] }

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = merge(local.tags, {
    Name = format("%s-private-%s", var.name, substr(each.key, -1, 1))
  })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_eip" "nat" {
  count  = local.nat_count
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  count         = local.nat_count
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  depends_on    = [aws_internet_gateway.this]
}
