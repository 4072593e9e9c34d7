from unfold.sites import UnfoldAdminSite


class OperatorsSite(UnfoldAdminSite):
    """The pages for operators. The first one tells how the service is."""

    site_title = "Async Actions"
    site_header = "Async Actions"
    index_title = "Dashboard"
