// Opens Swagger UI on the portal's own document; a file of its own because the pages allow no inline script.
window.addEventListener("load", () => {
  const place = document.getElementById("swagger-ui");
  SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
