"""How JupyterLab gives out the pages of a workspace, and talks to its kernels. Its server imports this by name (`runs/lab.py`)."""

from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

from pdmigrate.runs.kernels import OverFiles


class LabKernelManager(OverFiles, ServerKernelManager):
    """JupyterLab's own, which talks to its kernels over files."""


class ServedFiles(AuthenticatedFileHandler):
    """Files as JupyterLab gives them out, and a link from one page to the next leads there.

    The server shows each page in a sandbox of its own. Out of that a browser names no page as the one it comes from, and
    the server refused every link (403); and in JupyterLab's own tab it sends no cookie, and was asked to log in.
    """

    def check_referer(self) -> bool:
        """What it guards against is another site that takes a file in: as a script, a style, a picture.

        To be opened in a window is none of these, and the browser says so itself (Fetch Metadata, W3C, 2.3).
        """
        opened = self.request.headers.get("Sec-Fetch-Mode") == "navigate"
        return opened or bool(super().check_referer())

    @property
    def content_security_policy(self) -> str:
        """In JupyterLab's own tab, where no page may run a script, the page is of this server, so that the cookie is sent."""
        policy = str(super().content_security_policy)
        more = "allow-same-origin" if self._is_inside() else "allow-scripts allow-downloads"
        return policy.replace("sandbox allow-scripts", f"sandbox {more}")

    def get_content_type(self) -> str:
        """In there nothing can be downloaded: a CSV file is shown."""
        found = str(super().get_content_type())
        return "text/plain; charset=utf-8" if found == "text/csv" and self._is_inside() else found

    def _is_inside(self) -> bool:
        return bool(self.request.headers.get("Sec-Fetch-Dest") == "iframe")
