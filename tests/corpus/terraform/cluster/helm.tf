provider "helm" {
  kubernetes {
    host                   = aws_eks_cluster.main.endpoint
    cluster_ca_certificate = base64decode(aws_eks_cluster.main.certificate_authority[0].data)
  }
}

resource "helm_release" "ingress" {
  name       = "ingress-nginx"
  repository = "https://kubernetes.github.io/ingress-nginx"
  chart      = "ingress-nginx"
  version    = "4.11.2"

  values = [
    yamlencode({
      controller = {
        replicaCount = 2
        config       = { "ssl-protocols" = "TLSv1.2 TLSv1.3" }
      }
    }),
  ]

  dynamic "set" {
    for_each = { "controller.metrics.enabled" = true }
    content {
      name  = set.key
      value = set.value
    }
  }
}
