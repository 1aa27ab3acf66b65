"""Repositories of Terraform modules in the shape of the well-known public ones, made deterministically.

`network` is shaped like the AWS VPC module (one large root, all of it behind switches, many examples that call it),
`cluster` like the EKS module (submodules called with for_each, defaults looked up with try, wrappers), `google` like
the GKE module (many nearly equal modules with nested dynamic blocks). Written for this purpose; no line is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import dedent, indent

Files = dict[str, str]

VERSIONS = """\
terraform {
  required_version = ">= 1.5"
  required_providers {
    %s = {
      source  = "hashicorp/%s"
      version = ">= 5.0"
    }
  }
}
"""


def variables(specification: Iterable[tuple[str, str, str]]) -> str:
    """`variable` blocks from (name, type, default); without a default where that is empty."""
    parts = []
    for name, type_, default in specification:
        lines = [f'variable "{name}" {{', f'  description = "The {name.replace("_", " ")}"', f"  type        = {type_}"]
        if default:
            lines.append(f"  default     = {default}")
        parts.append("\n".join([*lines, "}\n"]))
    return "\n".join(parts)


def passed_on(names: Iterable[str], source: str = "var.%s") -> str:
    return "\n".join(f"  {name} = {source % name}" for name in names)


# -- network

TIERS = ("public", "private", "database", "redshift", "elasticache", "intra", "outpost")


def network() -> Files:
    files: Files = {"versions.tf": VERSIONS % ("aws", "aws")}
    specification = [
        ("create_vpc", "bool", "true"),
        ("name", "string", '""'),
        ("cidr", "string", '"10.0.0.0/16"'),
        ("azs", "list(string)", "[]"),
        ("enable_ipv6", "bool", "false"),
        ("enable_nat_gateway", "bool", "false"),
        ("single_nat_gateway", "bool", "false"),
        ("one_nat_gateway_per_az", "bool", "false"),
        ("enable_dns_hostnames", "bool", "true"),
        ("map_public_ip_on_launch", "bool", "false"),
        ("manage_default_security_group", "bool", "true"),
        ("default_security_group_ingress", "list(map(string))", "[]"),
        ("default_security_group_egress", "list(map(string))", "[]"),
        ("enable_flow_log", "bool", "false"),
        ("flow_log_destination_arn", "string", '""'),
        ("flow_log_cloudwatch_log_group_kms_key_id", "string", "null"),
        ("flow_log_retention_in_days", "number", "null"),
        ("tags", "map(string)", "{}"),
        ("vpc_tags", "map(string)", "{}"),
    ]
    main = [
        dedent("""\
        locals {
          create_vpc = var.create_vpc
          vpc_id     = try(aws_vpc.this[0].id, "")
          max_subnet_length = max(
            length(var.private_subnets), length(var.elasticache_subnets), length(var.database_subnets),
            length(var.redshift_subnets),
          )
          nat_gateway_count = var.single_nat_gateway ? 1 : var.one_nat_gateway_per_az ? length(var.azs) : local.max_subnet_length
        }

        resource "aws_vpc" "this" {
          count                            = local.create_vpc ? 1 : 0
          cidr_block                       = var.cidr
          assign_generated_ipv6_cidr_block = var.enable_ipv6 ? true : null
          enable_dns_hostnames             = var.enable_dns_hostnames
          tags                             = merge({ "Name" = var.name }, var.tags, var.vpc_tags)
        }

        resource "aws_default_security_group" "this" {
          count  = local.create_vpc && var.manage_default_security_group ? 1 : 0
          vpc_id = aws_vpc.this[0].id
          dynamic "ingress" {
            for_each = var.default_security_group_ingress
            content {
              self        = lookup(ingress.value, "self", null)
              cidr_blocks = compact(split(",", lookup(ingress.value, "cidr_blocks", "")))
              description = lookup(ingress.value, "description", null)
              from_port   = lookup(ingress.value, "from_port", 0)
              to_port     = lookup(ingress.value, "to_port", 0)
              protocol    = lookup(ingress.value, "protocol", "-1")
            }
          }
          dynamic "egress" {
            for_each = var.default_security_group_egress
            content {
              cidr_blocks = compact(split(",", lookup(egress.value, "cidr_blocks", "")))
              from_port   = lookup(egress.value, "from_port", 0)
              to_port     = lookup(egress.value, "to_port", 0)
              protocol    = lookup(egress.value, "protocol", "-1")
            }
          }
          tags = merge({ "Name" = coalesce(var.name, "default") }, var.tags)
        }

        resource "aws_eip" "nat" {
          count  = local.create_vpc && var.enable_nat_gateway ? local.nat_gateway_count : 0
          domain = "vpc"
          tags = merge({
            "Name" = format("${var.name}-%s", element(var.azs, var.single_nat_gateway ? 0 : count.index))
          }, var.tags)
        }

        resource "aws_nat_gateway" "this" {
          count         = local.create_vpc && var.enable_nat_gateway ? local.nat_gateway_count : 0
          allocation_id = element(aws_eip.nat[*].id, var.single_nat_gateway ? 0 : count.index)
          subnet_id     = element(aws_subnet.public[*].id, var.single_nat_gateway ? 0 : count.index)
          depends_on    = [aws_vpc.this]
        }

        module "flow_log" {
          source = "./modules/flow-log"

          create          = local.create_vpc && var.enable_flow_log
          name            = var.name
          vpc_id          = local.vpc_id
          destination_arn = var.flow_log_destination_arn
          kms_key_id      = var.flow_log_cloudwatch_log_group_kms_key_id
          retention_days  = var.flow_log_retention_in_days
          tags            = var.tags
        }
        """)
    ]
    outputs = ['output "vpc_id" {\n  value = try(aws_vpc.this[0].id, null)\n}\n']
    for number, tier in enumerate(TIERS):
        specification += [
            (f"{tier}_subnets", "list(string)", "[]"),
            (f"{tier}_subnet_names", "list(string)", "[]"),
            (f"{tier}_subnet_suffix", "string", f'"{tier}"'),
            (f"{tier}_subnet_tags", "map(string)", "{}"),
            (f"{tier}_dedicated_network_acl", "bool", "false"),
            (
                f"{tier}_inbound_acl_rules",
                "list(map(string))",
                '[{ rule_number = 100, rule_action = "allow", from_port = 0, to_port = 0, protocol = "-1", '
                'cidr_block = "0.0.0.0/0" }]',
            ),
        ]
        main.append(
            dedent(f"""\
            locals {{
              len_{tier}    = length(var.{tier}_subnets)
              create_{tier} = local.create_vpc && local.len_{tier} > 0
            }}

            resource "aws_subnet" "{tier}" {{
              count                   = local.create_{tier} && (!var.one_nat_gateway_per_az || local.len_{tier} >= length(var.azs)) ? local.len_{tier} : 0
              availability_zone       = length(regexall("^[a-z]{{2}}-", element(var.azs, count.index))) > 0 ? element(var.azs, count.index) : null
              availability_zone_id    = length(regexall("^[a-z]{{2}}-", element(var.azs, count.index))) == 0 ? element(var.azs, count.index) : null
              cidr_block              = element(concat(var.{tier}_subnets, [""]), count.index)
              ipv6_cidr_block         = var.enable_ipv6 ? cidrsubnet(aws_vpc.this[0].ipv6_cidr_block, 8, {number}) : null
              map_public_ip_on_launch = {"var.map_public_ip_on_launch" if tier == "public" else "false"}
              vpc_id                  = local.vpc_id
              tags = merge(
                {{
                  Name = try(
                    var.{tier}_subnet_names[count.index],
                    format("${{var.name}}-${{var.{tier}_subnet_suffix}}-%s", element(var.azs, count.index))
                  )
                }},
                var.tags,
                var.{tier}_subnet_tags,
              )
            }}

            resource "aws_route_table" "{tier}" {{
              count  = local.create_{tier} ? {"1" if tier == "public" else "local.nat_gateway_count"} : 0
              vpc_id = local.vpc_id
              tags   = merge({{ "Name" = "${{var.name}}-${{var.{tier}_subnet_suffix}}" }}, var.tags)
            }}

            resource "aws_route_table_association" "{tier}" {{
              count          = local.create_{tier} ? local.len_{tier} : 0
              subnet_id      = element(aws_subnet.{tier}[*].id, count.index)
              route_table_id = element(aws_route_table.{tier}[*].id, count.index)
            }}

            resource "aws_network_acl_rule" "{tier}_inbound" {{
              count          = local.create_{tier} && var.{tier}_dedicated_network_acl ? length(var.{tier}_inbound_acl_rules) : 0
              network_acl_id = aws_network_acl.{tier}[0].id
              egress         = false
              rule_number    = var.{tier}_inbound_acl_rules[count.index]["rule_number"]
              rule_action    = var.{tier}_inbound_acl_rules[count.index]["rule_action"]
              from_port      = lookup(var.{tier}_inbound_acl_rules[count.index], "from_port", null)
              to_port        = lookup(var.{tier}_inbound_acl_rules[count.index], "to_port", null)
              protocol       = var.{tier}_inbound_acl_rules[count.index]["protocol"]
              cidr_block     = lookup(var.{tier}_inbound_acl_rules[count.index], "cidr_block", null)
            }}

            resource "aws_network_acl" "{tier}" {{
              count      = local.create_{tier} && var.{tier}_dedicated_network_acl ? 1 : 0
              vpc_id     = local.vpc_id
              subnet_ids = aws_subnet.{tier}[*].id
            }}
            """)
        )
        outputs.append(
            f'output "{tier}_subnets" {{\n  value = aws_subnet.{tier}[*].id\n}}\n'
            f'output "{tier}_subnets_cidr_blocks" {{\n  value = compact(aws_subnet.{tier}[*].cidr_block)\n}}\n'
        )
    files["main.tf"] = "\n".join(main)
    files["variables.tf"] = variables(specification)
    files["outputs.tf"] = "\n".join(outputs)
    files |= _flow_log()
    files |= _endpoints()
    names = [name for name, _, _ in specification]
    files["wrappers/main.tf"] = (
        'module "wrapper" {\n  source   = "../"\n  for_each = var.items\n\n'
        + "\n".join(
            f"  {name} = try(each.value.{name}, var.defaults.{name}, {default})" for name, _, default in specification
        )
        + "\n}\n"
    )
    files["wrappers/variables.tf"] = variables([("items", "any", "{}"), ("defaults", "any", "{}")])
    for number, example in enumerate(
        (
            "simple",
            "complete",
            "ipv6",
            "issues",
            "secondary-cidr",
            "manage-default",
            "network-acls",
            "outpost",
            "flow-log",
            "block",
        )
    ):
        files |= _network_example(example, number, names)
    return files


def _flow_log() -> Files:
    return {
        "modules/flow-log/main.tf": dedent("""\
        locals {
          to_cloudwatch = var.create && var.destination_arn == ""
        }
        data "aws_iam_policy_document" "assume" {
          count = local.to_cloudwatch ? 1 : 0
          statement {
            sid     = "AWSVPCFlowLogsAssumeRole"
            effect  = "Allow"
            actions = ["sts:AssumeRole"]
            principals {
              type        = "Service"
              identifiers = ["vpc-flow-logs.amazonaws.com"]
            }
          }
        }
        resource "aws_iam_role" "this" {
          count              = local.to_cloudwatch ? 1 : 0
          name_prefix        = "vpc-flow-log-role-"
          assume_role_policy = data.aws_iam_policy_document.assume[0].json
          tags               = var.tags
        }
        resource "aws_cloudwatch_log_group" "this" {
          count             = local.to_cloudwatch ? 1 : 0
          name              = "/aws/vpc-flow-log/${var.name}"
          retention_in_days = var.retention_days
          kms_key_id        = var.kms_key_id
        }
        resource "aws_flow_log" "this" {
          count           = var.create ? 1 : 0
          vpc_id          = var.vpc_id
          traffic_type    = "ALL"
          iam_role_arn    = local.to_cloudwatch ? aws_iam_role.this[0].arn : null
          log_destination = local.to_cloudwatch ? aws_cloudwatch_log_group.this[0].arn : var.destination_arn
        }
        """),
        "modules/flow-log/variables.tf": variables(
            [
                ("create", "bool", "true"),
                ("name", "string", ""),
                ("vpc_id", "string", ""),
                ("destination_arn", "string", '""'),
                ("kms_key_id", "string", "null"),
                ("retention_days", "number", "null"),
                ("tags", "map(string)", "{}"),
            ]
        ),
        "modules/flow-log/outputs.tf": 'output "id" {\n  value = try(aws_flow_log.this[0].id, null)\n}\n',
        "modules/flow-log/versions.tf": VERSIONS % ("aws", "aws"),
    }


def _endpoints() -> Files:
    return {
        "modules/endpoints/main.tf": dedent("""\
        locals {
          endpoints          = { for k, v in var.endpoints : k => v if var.create && try(v.create, true) }
          security_group_ids = var.create && var.create_security_group ? concat(var.security_group_ids, [aws_security_group.this[0].id]) : var.security_group_ids
        }
        data "aws_vpc_endpoint_service" "this" {
          for_each = local.endpoints
          service  = try(each.value.service, null)
        }
        resource "aws_vpc_endpoint" "this" {
          for_each            = local.endpoints
          vpc_id              = var.vpc_id
          service_name        = try(each.value.service_endpoint, data.aws_vpc_endpoint_service.this[each.key].service_name)
          vpc_endpoint_type   = try(each.value.service_type, "Interface")
          security_group_ids  = try(each.value.service_type, "Interface") == "Interface" ? length(distinct(concat(local.security_group_ids, lookup(each.value, "security_group_ids", [])))) > 0 ? distinct(concat(local.security_group_ids, lookup(each.value, "security_group_ids", []))) : null : null
          private_dns_enabled = try(each.value.service_type, "Interface") == "Interface" ? try(each.value.private_dns_enabled, null) : null
          tags                = merge(var.tags, { "Name" = replace(each.key, ".", "-") }, try(each.value.tags, {}))
        }
        resource "aws_security_group" "this" {
          count       = var.create && var.create_security_group ? 1 : 0
          name        = "endpoints"
          description = "VPC endpoints"
          vpc_id      = var.vpc_id
        }
        resource "aws_security_group_rule" "this" {
          for_each          = { for k, v in var.security_group_rules : k => v if var.create && var.create_security_group }
          security_group_id = aws_security_group.this[0].id
          protocol          = try(each.value.protocol, "tcp")
          from_port         = try(each.value.from_port, 443)
          to_port           = try(each.value.to_port, 443)
          type              = try(each.value.type, "ingress")
          cidr_blocks       = lookup(each.value, "cidr_blocks", null)
        }
        """),
        "modules/endpoints/variables.tf": variables(
            [
                ("create", "bool", "true"),
                ("vpc_id", "string", "null"),
                ("endpoints", "any", "{}"),
                ("create_security_group", "bool", "false"),
                ("security_group_ids", "list(string)", "[]"),
                ("security_group_rules", "any", "{}"),
                ("tags", "map(string)", "{}"),
            ]
        ),
        "modules/endpoints/outputs.tf": 'output "endpoints" {\n  value = aws_vpc_endpoint.this\n}\n',
        "modules/endpoints/versions.tf": VERSIONS % ("aws", "aws"),
    }


def _network_example(name: str, number: int, names: list[str]) -> Files:
    folder = f"examples/{name}"
    return {
        f"{folder}/main.tf": dedent(f"""\
        provider "aws" {{
          region = local.region
        }}
        data "aws_availability_zones" "available" {{}}
        locals {{
          name   = "ex-${{basename(path.cwd)}}"
          region = "eu-west-{number % 3 + 1}"
          cidr   = "10.{number}.0.0/16"
          azs    = {'["eu-west-1a", "eu-west-1b", "eu-west-1c"]' if number % 2 else "slice(data.aws_availability_zones.available.names, 0, 3)"}
          tags   = {{ Example = "{name}", Repository = "network" }}
        }}
        module "vpc" {{
          source             = "../../"
          name               = local.name
          cidr               = local.cidr
          azs                = local.azs
          private_subnets    = [for k, v in local.azs : cidrsubnet(local.cidr, 8, k)]
          public_subnets     = [for k, v in local.azs : cidrsubnet(local.cidr, 8, k + 4)]
          database_subnets   = ["10.{number}.8.0/24", "10.{number}.9.0/24"]
          enable_nat_gateway = {"true" if number % 3 else "false"}
          single_nat_gateway = true
          enable_ipv6        = {"true" if name == "ipv6" else "false"}
          enable_flow_log    = {"true" if number % 4 == 0 else "false"}
          default_security_group_ingress = [{{ cidr_blocks = "10.0.0.0/8", from_port = 443, to_port = 443, protocol = "tcp" }}]
          tags               = local.tags
        }}
        module "endpoints" {{
          source    = "../../modules/endpoints"
          vpc_id    = module.vpc.vpc_id
          endpoints = {{
            s3  = {{ service = "s3", service_type = "Gateway" }}
            ecs = {{ service = "ecs", private_dns_enabled = true, tags = {{ Owner = "platform" }} }}
          }}
          create_security_group = true
          security_group_rules  = {{ all = {{ cidr_blocks = [local.cidr] }} }}
          tags                  = local.tags
        }}
        """),
        f"{folder}/outputs.tf": 'output "vpc_id" {\n  value = module.vpc.vpc_id\n}\n'
        + "".join(f'output "{tier}" {{\n  value = module.vpc.{tier}_subnets\n}}\n' for tier in TIERS),
        f"{folder}/versions.tf": VERSIONS % ("aws", "aws"),
        f"{folder}/variables.tf": "",
    }


# -- cluster


def cluster() -> Files:
    files: Files = {"versions.tf": VERSIONS % ("aws", "aws")}
    groups = ("managed-node-group", "self-managed-node-group", "fargate-profile", "hybrid-node-group")
    specification = [
        ("create", "bool", "true"),
        ("name", "string", '"cluster"'),
        ("version_", "string", '"1.33"'),
        ("enabled_log_types", "list(string)", '["audit", "api", "authenticator"]'),
        ("endpoint_public_access", "bool", "false"),
        ("endpoint_public_access_cidrs", "list(string)", '["0.0.0.0/0"]'),
        ("subnet_ids", "list(string)", "[]"),
        ("create_kms_key", "bool", "true"),
        ("encryption_config", "any", '{ resources = ["secrets"] }'),
        ("addons", "any", "{}"),
        ("access_entries", "any", "{}"),
        ("node_security_group_additional_rules", "any", "{}"),
        ("tags", "map(string)", "{}"),
        *[(group.replace("-", "_") + "s", "any", "{}") for group in groups],
        *[(group.replace("-", "_") + "_defaults", "any", "{}") for group in groups],
    ]
    files["main.tf"] = dedent("""\
        data "aws_partition" "current" {
          count = var.create ? 1 : 0
        }
        data "aws_caller_identity" "current" {}
        locals {
          create           = var.create
          partition        = try(data.aws_partition.current[0].partition, "aws")
          enable_encryption = length(var.encryption_config) > 0
        }
        resource "aws_eks_cluster" "this" {
          count                     = local.create ? 1 : 0
          name                      = var.name
          role_arn                  = aws_iam_role.this[0].arn
          version                   = var.version_
          enabled_cluster_log_types = var.enabled_log_types
          vpc_config {
            security_group_ids      = compact(distinct([local.security_group_id]))
            subnet_ids              = coalescelist(var.subnet_ids, ["subnet-none"])
            endpoint_private_access = true
            endpoint_public_access  = var.endpoint_public_access
            public_access_cidrs     = var.endpoint_public_access ? var.endpoint_public_access_cidrs : null
          }
          dynamic "encryption_config" {
            for_each = local.enable_encryption ? [var.encryption_config] : []
            content {
              provider {
                key_arn = var.create_kms_key ? module.kms.key_arn : encryption_config.value.provider_key_arn
              }
              resources = encryption_config.value.resources
            }
          }
          tags = merge(var.tags, { "terraform-module" = "eks" })
        }
        module "kms" {
          source  = "terraform-aws-modules/kms/aws"
          version = "2.1.0"
          create  = local.create && var.create_kms_key && local.enable_encryption
        }
        data "aws_iam_policy_document" "assume" {
          statement {
            actions = ["sts:AssumeRole", "sts:TagSession"]
            principals {
              type        = "Service"
              identifiers = ["eks.amazonaws.com"]
            }
          }
        }
        resource "aws_iam_role" "this" {
          count              = local.create ? 1 : 0
          name_prefix        = "${var.name}-cluster-"
          assume_role_policy = data.aws_iam_policy_document.assume.json
        }
        resource "aws_iam_role_policy_attachment" "this" {
          for_each   = { for k, v in { AmazonEKSClusterPolicy = "arn:${local.partition}:iam::aws:policy/AmazonEKSClusterPolicy" } : k => v if local.create }
          policy_arn = each.value
          role       = aws_iam_role.this[0].name
        }
        locals {
          security_group_id = try(aws_security_group.node[0].id, "")
          rules = merge(
            {
              ingress_443  = { protocol = "tcp", from_port = 443, to_port = 443, type = "ingress" }
              ingress_10250 = { protocol = "tcp", from_port = 10250, to_port = 10250, type = "ingress" }
              egress_all   = { protocol = "-1", from_port = 0, to_port = 0, type = "egress", cidr_blocks = ["0.0.0.0/0"] }
            },
            var.node_security_group_additional_rules,
          )
        }
        resource "aws_security_group" "node" {
          count       = local.create ? 1 : 0
          name_prefix = "${var.name}-node-"
          description = "Nodes"
        }
        resource "aws_security_group_rule" "node" {
          for_each          = { for k, v in local.rules : k => v if local.create }
          security_group_id = aws_security_group.node[0].id
          protocol          = each.value.protocol
          from_port         = each.value.from_port
          to_port           = each.value.to_port
          type              = each.value.type
          cidr_blocks       = try(each.value.cidr_blocks, null)
          self              = try(each.value.self, null)
        }
        resource "aws_eks_addon" "this" {
          for_each     = { for k, v in var.addons : k => v if local.create }
          cluster_name = aws_eks_cluster.this[0].name
          addon_name   = try(each.value.name, each.key)
          resolve_conflicts_on_update = try(each.value.resolve_conflicts, "OVERWRITE")
          configuration_values        = try(jsonencode(each.value.configuration), null)
        }
        """) + "\n".join(
        dedent(f"""\
            module "{group.replace("-", "_")}" {{
              source   = "./modules/{group}"
              for_each = {{ for k, v in var.{group.replace("-", "_")}s : k => v if local.create }}

              name               = try(each.value.name, each.key)
              cluster_name       = try(aws_eks_cluster.this[0].name, var.name)
              subnet_ids         = try(each.value.subnet_ids, var.{group.replace("-", "_")}_defaults.subnet_ids, var.subnet_ids)
              min_size           = try(each.value.min_size, var.{group.replace("-", "_")}_defaults.min_size, 1)
              max_size           = try(each.value.max_size, var.{group.replace("-", "_")}_defaults.max_size, 3)
              instance_types     = try(each.value.instance_types, var.{group.replace("-", "_")}_defaults.instance_types, null)
              disk_encrypted     = try(each.value.disk_encrypted, var.{group.replace("-", "_")}_defaults.disk_encrypted, true)
              block_devices      = try(each.value.block_devices, var.{group.replace("-", "_")}_defaults.block_devices, {{}})
              metadata_options   = try(each.value.metadata_options, var.{group.replace("-", "_")}_defaults.metadata_options, local.metadata_options)
              bootstrap_arguments = try(each.value.bootstrap_arguments, "")
              tags               = merge(var.tags, try(each.value.tags, {{}}))
            }}
            """)
        for group in groups
    )
    files["locals.tf"] = dedent("""\
        locals {
          metadata_options = { http_endpoint = "enabled", http_tokens = "required", http_put_response_hop_limit = 2 }
        }
        """)
    files["variables.tf"] = variables(specification)
    files["outputs.tf"] = 'output "name" {\n  value = try(aws_eks_cluster.this[0].name, "")\n}\n'
    for group in groups:
        files |= _node_group(f"modules/{group}")
        folder = f"wrappers/{group}"
        files[f"{folder}/main.tf"] = (
            f'module "wrapper" {{\n  source   = "../../modules/{group}"\n  for_each = var.items\n'
            + "\n".join(f"  {n} = try(each.value.{n}, var.defaults.{n}, {d})" for n, _, d in _NODE_VARIABLES if d)
            + '\n  name = each.key\n  cluster_name = try(each.value.cluster_name, "")\n}\n'
        )
        files[f"{folder}/variables.tf"] = variables([("items", "any", "{}"), ("defaults", "any", "{}")])
        files[f"{folder}/versions.tf"] = VERSIONS % ("aws", "aws")
    files |= {
        "modules/user-data/main.tf": dedent("""\
        locals {
          rendered = templatefile("${path.module}/templates/bootstrap.tftpl", { cluster = var.cluster_name, arguments = var.arguments, lines = var.lines })
        }
        """),
        "modules/user-data/templates/bootstrap.tftpl": "#!/bin/bash\n%{ for line in lines ~}\n${line}\n%{ endfor ~}\n/etc/eks/bootstrap.sh ${cluster} ${arguments}\n",
        "modules/user-data/variables.tf": variables(
            [("cluster_name", "string", '""'), ("arguments", "string", '""'), ("lines", "list(string)", "[]")]
        ),
        "modules/user-data/outputs.tf": 'output "user_data" {\n  value = base64encode(local.rendered)\n}\n',
    }
    for number, example in enumerate(
        ("managed", "self-managed", "fargate", "hybrid", "karpenter", "outposts", "auto-mode", "complete")
    ):
        files |= _cluster_example(example, number)
    return files


_NODE_VARIABLES = [
    ("create", "bool", "true"),
    ("name", "string", ""),
    ("cluster_name", "string", ""),
    ("subnet_ids", "list(string)", "[]"),
    ("min_size", "number", "0"),
    ("max_size", "number", "3"),
    ("instance_types", "list(string)", "null"),
    ("disk_encrypted", "bool", "true"),
    ("block_devices", "any", "{}"),
    ("metadata_options", "map(string)", '{ http_tokens = "required" }'),
    ("bootstrap_arguments", "string", '""'),
    ("tags", "map(string)", "{}"),
]


def _node_group(folder: str) -> Files:
    return {
        f"{folder}/main.tf": dedent("""\
        module "user_data" {
          source       = "../user-data"
          cluster_name = var.cluster_name
          arguments    = var.bootstrap_arguments
          lines        = ["set -e", "echo ${var.name}"]
        }
        resource "aws_launch_template" "this" {
          count         = var.create ? 1 : 0
          name_prefix   = "${var.name}-"
          user_data     = module.user_data.user_data
          instance_type = try(var.instance_types[0], null)
          dynamic "block_device_mappings" {
            for_each = var.block_devices
            content {
              device_name = try(block_device_mappings.value.device_name, null)
              dynamic "ebs" {
                for_each = try([block_device_mappings.value.ebs], [])
                content {
                  encrypted   = try(ebs.value.encrypted, var.disk_encrypted)
                  kms_key_id  = try(ebs.value.kms_key_id, null)
                  volume_size = try(ebs.value.volume_size, 50)
                  volume_type = try(ebs.value.volume_type, "gp3")
                }
              }
            }
          }
          dynamic "metadata_options" {
            for_each = length(var.metadata_options) > 0 ? [var.metadata_options] : []
            content {
              http_endpoint               = try(metadata_options.value.http_endpoint, null)
              http_tokens                 = try(metadata_options.value.http_tokens, null)
              http_put_response_hop_limit = try(metadata_options.value.http_put_response_hop_limit, null)
            }
          }
          tags = var.tags
        }
        resource "aws_eks_node_group" "this" {
          count         = var.create ? 1 : 0
          cluster_name  = var.cluster_name
          node_role_arn = try(aws_iam_role.this[0].arn, null)
          subnet_ids    = var.subnet_ids
          scaling_config {
            min_size     = var.min_size
            max_size     = var.max_size
            desired_size = max(var.min_size, 1)
          }
          launch_template {
            id      = aws_launch_template.this[0].id
            version = aws_launch_template.this[0].latest_version
          }
          tags = merge(var.tags, { Name = var.name })
        }
        resource "aws_iam_role" "this" {
          count       = var.create ? 1 : 0
          name_prefix = "${var.name}-"
          assume_role_policy = jsonencode({
            Version   = "2012-10-17"
            Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
          })
        }
        """),
        f"{folder}/variables.tf": variables(_NODE_VARIABLES),
        f"{folder}/outputs.tf": 'output "role" {\n  value = try(aws_iam_role.this[0].arn, null)\n}\n',
        f"{folder}/versions.tf": VERSIONS % ("aws", "aws"),
    }


def _cluster_example(name: str, number: int) -> Files:
    folder = f"examples/{name}"
    return {
        f"{folder}/main.tf": dedent(f"""\
        provider "aws" {{
          region = "eu-central-1"
        }}
        locals {{
          name = "ex-{name}"
          tags = {{ Example = local.name }}
        }}
        module "eks" {{
          source                 = "../.."
          name                   = local.name
          endpoint_public_access = {"true" if number % 2 else "false"}
          subnet_ids             = module.vpc.private_subnets
          addons = {{
            coredns    = {{}}
            vpc-cni    = {{ configuration = {{ env = {{ ENABLE_PREFIX_DELEGATION = "true" }} }} }}
          }}
          managed_node_group_defaults = {{ instance_types = ["m6i.large", "m5.large"] }}
          managed_node_groups = {{
            default = {{
              min_size = {number}
              block_devices = {{ xvda = {{ device_name = "/dev/xvda", ebs = {{ volume_size = 75, encrypted = {"false" if number == 3 else "true"} }} }} }}
            }}
            spot = {{ instance_types = ["m5.large"], tags = {{ Spot = "yes" }} }}
          }}
          self_managed_node_groups = {{ one = {{ name = "one", bootstrap_arguments = "--max-pods=110" }} }}
          tags = local.tags
        }}
        module "vpc" {{
          source  = "terraform-aws-modules/vpc/aws"
          version = "~> 5.0"
          name    = local.name
        }}
        """),
        f"{folder}/outputs.tf": 'output "name" {\n  value = module.eks.name\n}\n',
        f"{folder}/versions.tf": VERSIONS % ("aws", "aws"),
    }


# -- google

FLAVOURS = tuple(
    f"{channel}{kind}{update}"
    for channel in ("", "beta-")
    for kind in ("public-cluster", "private-cluster", "autopilot-public-cluster", "autopilot-private-cluster")
    for update in ("", "-update-variant")
)


def google() -> Files:
    files: Files = {}
    for flavour in FLAVOURS:
        files |= _google_cluster(f"modules/{flavour}", flavour)
    for number, flavour in enumerate(FLAVOURS):
        for example in ("simple", "regional"):
            folder = f"examples/{example}-{flavour}"
            files[f"{folder}/main.tf"] = _google_example(flavour, example, number)
            files[f"{folder}/variables.tf"] = variables(
                [("project_id", "string", ""), ("region", "string", '"europe-west1"')]
            )
            files[f"{folder}/outputs.tf"] = (
                'output "endpoint" {\n  sensitive = true\n  value     = module.gke.endpoint\n}\n'
            )
    return files


def _google_cluster(folder: str, flavour: str) -> Files:
    private = "private" in flavour
    autopilot = "autopilot" in flavour
    pools = (
        ""
        if autopilot
        else dedent("""\
        resource "google_container_node_pool" "pools" {
          for_each           = local.node_pools
          name               = each.key
          project            = var.project_id
          location           = local.location
          cluster            = google_container_cluster.primary.name
          initial_node_count = lookup(each.value, "autoscaling", true) ? lookup(each.value, "initial_node_count", lookup(each.value, "min_count", 1)) : null
          dynamic "autoscaling" {
            for_each = lookup(each.value, "autoscaling", true) ? [each.value] : []
            content {
              min_node_count = lookup(autoscaling.value, "min_count", 1)
              max_node_count = lookup(autoscaling.value, "max_count", 100)
            }
          }
          management {
            auto_repair  = lookup(each.value, "auto_repair", true)
            auto_upgrade = lookup(each.value, "auto_upgrade", local.default_auto_upgrade)
          }
          node_config {
            image_type   = lookup(each.value, "image_type", "COS_CONTAINERD")
            machine_type = lookup(each.value, "machine_type", "e2-medium")
            labels = merge(
              lookup(lookup(local.node_pools_labels, "default_values", {}), "cluster_name", true) ? { "cluster_name" = var.name } : {},
              local.node_pools_labels["all"],
              lookup(local.node_pools_labels, each.key, {}),
            )
            tags = concat(
              ["gke-${var.name}", "gke-${var.name}-${each.key}"],
              lookup(var.node_pools_tags, "all", []),
              lookup(var.node_pools_tags, each.key, []),
            )
            oauth_scopes = concat(local.oauth_scopes["all"], lookup(local.oauth_scopes, each.key, []))
            dynamic "workload_metadata_config" {
              for_each = local.cluster_node_metadata_config
              content {
                mode = lookup(each.value, "node_metadata", workload_metadata_config.value.mode)
              }
            }
            shielded_instance_config {
              enable_secure_boot          = lookup(each.value, "enable_secure_boot", false)
              enable_integrity_monitoring = lookup(each.value, "enable_integrity_monitoring", true)
            }
          }
        }
        """)
    )
    private_block = (
        dedent("""\
          dynamic "private_cluster_config" {
            for_each = var.enable_private_nodes ? [{
              enable_private_nodes    = var.enable_private_nodes
              enable_private_endpoint = var.enable_private_endpoint
              master_ipv4_cidr_block  = var.master_ipv4_cidr_block
            }] : []
            content {
              enable_private_endpoint = private_cluster_config.value.enable_private_endpoint
              enable_private_nodes    = private_cluster_config.value.enable_private_nodes
              master_ipv4_cidr_block  = private_cluster_config.value.master_ipv4_cidr_block
            }
          }
        """)
        if private
        else ""
    )
    specification = [
        ("project_id", "string", ""),
        ("name", "string", ""),
        ("region", "string", "null"),
        ("zones", "list(string)", "[]"),
        ("regional", "bool", "true"),
        ("network", "string", ""),
        ("network_project_id", "string", '""'),
        ("subnetwork", "string", ""),
        ("kubernetes_version", "string", '"latest"'),
        ("release_channel", "string", '"REGULAR"'),
        ("master_authorized_networks", "list(object({ cidr_block = string, display_name = string }))", "[]"),
        ("enable_shielded_nodes", "bool", "true"),
        ("enable_legacy_abac", "bool", "false"),
        ("network_policy", "bool", "false"),
        (
            "database_encryption",
            "list(object({ state = string, key_name = string }))",
            '[{ state = "DECRYPTED", key_name = "" }]',
        ),
        ("logging_service", "string", '"logging.googleapis.com/kubernetes"'),
        ("enable_private_nodes", "bool", "true"),
        ("enable_private_endpoint", "bool", "false"),
        ("master_ipv4_cidr_block", "string", '"10.0.0.0/28"'),
        ("node_metadata", "string", '"GKE_METADATA"'),
        ("node_pools", "list(map(any))", '[{ name = "default-node-pool" }]'),
        ("node_pools_tags", "map(list(string))", "{ all = [], default-node-pool = [] }"),
        ("node_pools_labels", "map(map(string))", "{ all = {}, default-node-pool = {} }"),
        (
            "node_pools_oauth_scopes",
            "map(list(string))",
            '{ all = ["https://www.googleapis.com/auth/cloud-platform"] }',
        ),
        ("cluster_resource_labels", "map(string)", "{}"),
        ("service_account", "string", '""'),
        ("grant_registry_access", "bool", "false"),
    ]
    return {
        f"{folder}/cluster.tf": dedent("""\
        resource "google_container_cluster" "primary" {
          name                        = var.name
          project                     = var.project_id
          resource_labels             = var.cluster_resource_labels
          location                    = local.location
          node_locations              = local.node_locations
          network                     = "projects/${local.network_project_id}/global/networks/${var.network}"
          subnetwork                  = "projects/${local.network_project_id}/regions/${local.region}/subnetworks/${var.subnetwork}"
          min_master_version          = var.release_channel == null || var.release_channel == "UNSPECIFIED" ? local.master_version : var.kubernetes_version == "latest" ? null : var.kubernetes_version
          logging_service             = var.logging_service
          enable_shielded_nodes       = var.enable_shielded_nodes
          enable_legacy_abac          = var.enable_legacy_abac
          dynamic "network_policy" {
            for_each = local.cluster_network_policy
            content {
              enabled  = network_policy.value.enabled
              provider = network_policy.value.provider
            }
          }
          dynamic "release_channel" {
            for_each = local.release_channel
            content {
              channel = release_channel.value.channel
            }
          }
          dynamic "master_authorized_networks_config" {
            for_each = local.master_authorized_networks_config
            content {
              dynamic "cidr_blocks" {
                for_each = master_authorized_networks_config.value.cidr_blocks
                content {
                  cidr_block   = lookup(cidr_blocks.value, "cidr_block", "")
                  display_name = lookup(cidr_blocks.value, "display_name", "")
                }
              }
            }
          }
          dynamic "database_encryption" {
            for_each = var.database_encryption
            content {
              key_name = database_encryption.value.key_name
              state    = database_encryption.value.state
            }
          }
        """)
        + indent(private_block, "  ")
        + "}\n"
        + pools,
        f"{folder}/main.tf": dedent("""\
        data "google_compute_zones" "available" {
          count   = local.zone_count == 0 ? 1 : 0
          project = var.project_id
          region  = local.region
        }
        resource "random_shuffle" "available_zones" {
          count        = local.zone_count == 0 ? 1 : 0
          input        = data.google_compute_zones.available[0].names
          result_count = 3
        }
        locals {
          location           = var.regional ? var.region : var.zones[0]
          region             = var.regional ? var.region : join("-", slice(split("-", var.zones[0]), 0, 2))
          zone_count         = length(var.zones)
          node_locations     = var.regional ? coalescelist(compact(var.zones), try(sort(random_shuffle.available_zones[0].result), [])) : slice(var.zones, 1, length(var.zones))
          network_project_id = var.network_project_id != "" ? var.network_project_id : var.project_id
          master_version     = var.regional ? local.master_version_regional : local.master_version_zonal
          master_version_regional = var.kubernetes_version != "latest" ? var.kubernetes_version : data.google_container_engine_versions.region.latest_master_version
          master_version_zonal    = var.kubernetes_version != "latest" ? var.kubernetes_version : data.google_container_engine_versions.region.latest_master_version
          release_channel         = var.release_channel != null ? [{ channel : var.release_channel }] : []
          default_auto_upgrade    = var.regional || var.release_channel != "UNSPECIFIED" ? true : false
          cluster_network_policy  = var.network_policy ? [{ enabled = true, provider = "CALICO" }] : [{ enabled = false, provider = null }]
          cluster_node_metadata_config = var.node_metadata == "UNSPECIFIED" ? [] : [{ mode = var.node_metadata }]
          master_authorized_networks_config = length(var.master_authorized_networks) == 0 ? [] : [{ cidr_blocks : var.master_authorized_networks }]
          node_pools        = { for pool in var.node_pools : pool.name => pool }
          node_pools_labels = merge({ all = {} }, { default-node-pool = {} }, zipmap([for pool in var.node_pools : pool["name"]], [for pool in var.node_pools : {}]), var.node_pools_labels)
          oauth_scopes      = merge({ all = [] }, { default-node-pool = [] }, var.node_pools_oauth_scopes)
        }
        data "google_container_engine_versions" "region" {
          location = local.location
          project  = var.project_id
        }
        """),
        f"{folder}/sa.tf": dedent("""\
        locals {
          service_account = var.service_account == "" ? google_service_account.cluster[0].email : var.service_account
        }
        resource "google_service_account" "cluster" {
          count        = var.service_account == "" ? 1 : 0
          project      = var.project_id
          account_id   = "tf-gke-${substr(var.name, 0, min(15, length(var.name)))}"
          display_name = "Service account for cluster ${var.name}"
        }
        resource "google_project_iam_member" "cluster" {
          for_each = var.service_account == "" ? toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"]) : []
          project  = var.project_id
          role     = each.value
          member   = "serviceAccount:${local.service_account}"
        }
        """),
        f"{folder}/firewall.tf": dedent("""\
        resource "google_compute_firewall" "master_webhooks" {
          count         = length(var.master_authorized_networks) > 0 ? 1 : 0
          name          = "gke-${substr(var.name, 0, min(36, length(var.name)))}-webhooks"
          project       = local.network_project_id
          network       = var.network
          direction     = "INGRESS"
          source_ranges = [for one in var.master_authorized_networks : one.cidr_block]
          allow {
            protocol = "tcp"
            ports    = ["8443", "9443", "15017"]
          }
        }
        """),
        f"{folder}/variables.tf": variables(specification),
        f"{folder}/outputs.tf": 'output "endpoint" {\n  sensitive = true\n  value     = google_container_cluster.primary.endpoint\n}\n'
        'output "name" {\n  value = google_container_cluster.primary.name\n}\n',
        f"{folder}/versions.tf": VERSIONS % ("google", "google"),
    }


def _google_example(flavour: str, example: str, number: int) -> str:
    return dedent(f"""\
        locals {{
          cluster_type = "{example}-{flavour}"
        }}
        provider "google" {{
          region = var.region
        }}
        module "gke" {{
          source      = "../../modules/{flavour}"
          project_id  = var.project_id
          name        = "${{local.cluster_type}}-cluster"
          regional    = {"true" if example == "regional" else "false"}
          region      = var.region
          zones       = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
          network     = "main"
          subnetwork  = "nodes"
          network_policy = {"true" if number % 2 else "false"}
          master_authorized_networks = [{{ cidr_block = "{"0.0.0.0/0" if number % 5 == 0 else "10.60.0.0/17"}", display_name = "VPC" }}]
          node_pools = [{{ name = "default-node-pool", machine_type = "e2-standard-4", min_count = 1, max_count = 10, auto_upgrade = true }}]
          node_pools_labels = {{ all = {{}}, default-node-pool = {{ pool = "default" }} }}
        }}
        """)


REPOSITORIES = {"network": network, "cluster": cluster, "google": google}


def repositories() -> Iterator[tuple[str, Files]]:
    for name, make in REPOSITORIES.items():
        yield name, make()
