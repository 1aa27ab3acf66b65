resource "google_container_cluster" "main" {
  name                     = "main"
  location                 = "europe-west3"
  remove_default_node_pool = true
  initial_node_count       = 1

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
    master_ipv4_cidr_block  = "172.16.0.0/28"
  }

  master_authorized_networks_config {
    cidr_blocks {
      cidr_block   = "203.0.113.0/24"
      display_name = "office"
    }
  }

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }
}

resource "google_compute_subnetwork" "nodes" {
  name          = "nodes"
  ip_cidr_range = "10.30.0.0/20"
  network       = "main"

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.31.0.0/16"
  }

  log_config {
    aggregation_interval = "INTERVAL_5_MIN"
  }
}
