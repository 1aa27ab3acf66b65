output "vpc_id" {
  value = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "By zone"
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "public_subnet_ids" {
  value = aws_subnet.public[*].id
}
